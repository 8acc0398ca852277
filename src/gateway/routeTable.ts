/** Which methods each path takes, so that a path asked with another one is told so instead of being denied. */
export class RouteTable {
  readonly #methods = new Map<string, Set<string>>()

  add(method: string | readonly string[], url: string): void {
    const known = this.#methods.get(url) ?? new Set()
    for (const one of typeof method === 'string' ? [method] : method) known.add(one)
    this.#methods.set(url, known)
  }

  /** Every route as "GET /path". */
  get all(): string[] {
    return [...this.#methods].flatMap(([url, methods]) => [...methods].map((method) => `${method} ${url}`))
  }

  /** Methods of the path in a request's URL; none where there is no such route. */
  methodsOf(requestUrl: string): string[] {
    const path = requestUrl.split('?', 1)[0]!.split('/')
    const methods = new Set<string>()
    for (const [url, known] of this.#methods) {
      const parts = url.split('/')
      if (parts.length === path.length && parts.every((part, i) => (part.startsWith(':') ? path[i] !== '' : part === path[i]))) for (const method of known) methods.add(method)
    }
    return [...methods].sort()
  }
}
