import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { catalogue } from './catalogue.ts'
import type { MetricDefinition, MetricName } from './catalogue.ts'

export type Labels = Readonly<Partial<Record<'market' | 'actor', string>>>

/** What a thread hands over of its meters: plain, so that it can go to another thread. */
export type Readings = readonly object[]

/** The meters of one thread. Each comes from the catalogue, with all of its labels. */
export class Meters {
  readonly #registry = new Registry()
  readonly #metrics = new Map<MetricName, Counter | Gauge | Histogram>()

  /** A gauge stands at `value`. A counter that is kept elsewhere, in an actor's state, has come to it. */
  set(name: MetricName, value: number, labels: Labels = {}): void {
    const metric = this.#metric(name)
    check(name, labels)
    if (metric instanceof Gauge) return metric.set(labels, value)
    if (!(metric instanceof Counter)) throw new Error(`${name} is a histogram`)
    metric.remove(labels)
    metric.inc(labels, value)
  }

  /** Counts one more; 0 makes it known. */
  count(name: MetricName, labels: Labels = {}, more = 1): void {
    const metric = this.#metric(name)
    check(name, labels)
    if (!(metric instanceof Counter)) throw new Error(`${name} is not a counter`)
    metric.inc(labels, more)
  }

  observe(name: MetricName, value: number, labels: Labels = {}): void {
    check(name, labels)
    this.#histogram(name).observe(labels, value)
  }

  /** Makes a histogram known that has seen nothing. */
  expect(name: MetricName, labels: Labels = {}): void {
    check(name, labels)
    this.#histogram(name).zero(labels)
  }

  async read(): Promise<Readings> {
    return this.#registry.getMetricsAsJSON()
  }

  #histogram(name: MetricName): Histogram {
    const metric = this.#metric(name)
    if (!(metric instanceof Histogram)) throw new Error(`${name} is not a histogram`)
    return metric
  }

  #metric(name: MetricName): Counter | Gauge | Histogram {
    const known = this.#metrics.get(name)
    if (known !== undefined) return known
    const { type, help, labels, unit, buckets = [] }: MetricDefinition = catalogue[name]
    const options = { name, help: `${help} (${unit})`, labelNames: [...labels], registers: [this.#registry] }
    const metric = type === 'counter' ? new Counter(options) : type === 'gauge' ? new Gauge(options) : new Histogram({ ...options, buckets: [...buckets] })
    this.#metrics.set(name, metric)
    return metric
  }
}

/** The page that Prometheus reads, of the meters of several threads (text format 0.0.4). */
export const page = (readings: readonly Readings[]): Promise<string> => AggregatorRegistry.aggregate([...readings]).metrics()

export const PAGE_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

function check(name: MetricName, labels: Labels): void {
  const wanted: readonly string[] = catalogue[name].labels
  const given = Object.keys(labels)
  if (given.length !== wanted.length || given.some((label) => !wanted.includes(label))) throw new Error(`${name} has the labels {${wanted.join()}}, not {${given.join()}}`)
}
