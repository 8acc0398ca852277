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

  /** What a path that is written out does not take, though one with a parameter that it fits does: the router would look there. */
  get shadowed(): { readonly url: string; readonly method: string }[] {
    return [...this.#methods].filter(([url]) => !url.includes(':')).flatMap(([url, own]) => [...this.#fitting(url)].filter((method) => !own.has(method)).map((method) => ({ url, method })))
  }

  /** Methods of the path in a request's URL; none where there is no such route. A path that is written out comes before one with a parameter. */
  methodsOf(requestUrl: string): string[] {
    const path = requestUrl.split('?', 1)[0]!
    return [...(this.#methods.get(path) ?? this.#fitting(path))].sort()
  }

  #fitting(url: string): Set<string> {
    const path = url.split('/')
    const methods = new Set<string>()
    for (const [known, own] of this.#methods) {
      const parts = known.split('/')
      if (parts.length === path.length && parts.every((part, i) => (part.startsWith(':') ? path[i] !== '' : part === path[i]))) for (const method of own) methods.add(method)
    }
    return methods
  }
}
