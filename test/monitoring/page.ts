/** A page of metrics in Prometheus' text format (version 0.0.4), read by its rules and nothing more. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = `([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"`
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`)
const suffixes: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'], counter: [''], gauge: [''] }

/** @throws Error where the text breaks a rule of the format */
export function readPage(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, { name: string; type: string; help: string; samples: Sample[] }>()
  const seen = new Set<string>()
  let help: { readonly name: string; readonly text: string } | null = null
  let family: { name: string; type: string; help: string; samples: Sample[] } | null = null
  for (const line of text.split('\n')) {
    if (line === '') continue
    const about = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line)
    if (about?.[1] === 'HELP') {
      help = { name: about[2]!, text: about[3]! }
      continue
    }
    if (about !== null) {
      const [, , name, type] = about as unknown as [string, string, string, string]
      if (help?.name !== name || families.has(name) || suffixes[type] === undefined) throw new Error(`not a family of its own: ${line}`)
      family = { name, type, help: help.text, samples: [] }
      families.set(name, family)
      continue
    }
    const [, name, labels = '', ...rest] = SAMPLE.exec(line) ?? []
    const value = rest.at(-1)
    if (name === undefined || value === undefined || family === null) throw new Error(`not a sample: ${line}`)
    if (!suffixes[family.type]!.some((suffix) => name === family!.name + suffix)) throw new Error(`a sample of another family: ${line}`)
    if (Number.isNaN(Number(value.replace('+Inf', 'Infinity')))) throw new Error(`no number: ${line}`)
    if (seen.has(`${name}{${labels}}`)) throw new Error(`twice: ${line}`)
    seen.add(`${name}{${labels}}`)
    const pairs = [...labels.matchAll(new RegExp(LABEL, 'g'))].map(([, label, text]) => [label!, text!] as const)
    family.samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value.replace('+Inf', 'Infinity')) })
  }
  return families
}

/** What a process shows now: a page is up to five seconds old. */
export async function readMetrics(url: string): Promise<{ readonly text: string; readonly page: ReadonlyMap<string, Family> }> {
  const response = await fetch(url)
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${url}: ${response.status} ${text}`)
  return { text, page: readPage(text) }
}

/** The sum of a metric's values over the labels that are not named; null where the page does not have it. */
export function total(page: ReadonlyMap<string, Family>, name: string, labels: Readonly<Record<string, string>> = {}): number | null {
  const samples = [...page.values()].flatMap((family) => family.samples).filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
  return samples.length === 0 ? null : samples.reduce((sum, { value }) => sum + value, 0)
}
