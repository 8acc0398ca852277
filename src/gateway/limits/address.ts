/** Whom a connection is counted for: an IPv4 address, or the /64 that is one customer's in IPv6 (RFC 6177). */
export function customerOf(remoteAddress: string | undefined): string {
  // Gone already: whatever is done for it is done for nobody.
  if (remoteAddress === undefined) return 'gone'
  // What the socket says is an address: only one of IPv6 has colons. This is asked for every request, and a full check costs more than the rest of it.
  if (!remoteAddress.includes(':')) return remoteAddress
  if (remoteAddress.startsWith('::ffff:')) return remoteAddress.slice('::ffff:'.length)
  const [head = '', tail] = remoteAddress.split('%', 1)[0]!.split('::')
  const groups = head === '' ? [] : head.split(':')
  const behind = tail === undefined || tail === '' ? 0 : tail.split(':').length
  while (tail !== undefined && groups.length + behind < 8) groups.push('0')
  return groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(':')
}
