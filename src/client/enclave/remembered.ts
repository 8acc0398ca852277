const ENTRIES = 32

/** Reads each text once as long as it is among the last that were asked for: chains and lists are the same for every connection, and for months. What cannot be read is not remembered. */
export function remembered<Value>(read: (text: string) => Value): (text: string) => Value {
  const known = new Map<string, Value>()
  return (text) => {
    const value = known.get(text) ?? read(text)
    known.delete(text)
    known.set(text, value)
    if (known.size > ENTRIES) known.delete(known.keys().next().value!)
    return value
  }
}
