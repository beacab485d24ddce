import { Metrics } from '@aws-lambda-powertools/metrics';
import { type MetricService, type MetricValues, metrics } from '../../lambda/core/metrics.ts';
import { metricNamespace } from '../../lambda/core/names.ts';

export interface MetricLogOptions<Service extends MetricService> {
  /** The configured name of the deployment. */
  readonly name: string;
  readonly service: Service;
}

/**
 * Publishes metrics as lines of the function's log, in CloudWatch's embedded metric format: no call, so
 * nothing to wait for and nothing that can fail with a region. Never throws: measuring must not harm what is
 * measured.
 */
export class MetricLog<Service extends MetricService> {
  readonly #metrics: Metrics;

  constructor({ name, service }: MetricLogOptions<Service>) {
    this.#metrics = new Metrics({ namespace: metricNamespace(name), serviceName: service });
  }

  /** Keeps values for the next line. Up to 100 values of one name are collected; then a line is written. */
  add(values: MetricValues<Service>): void {
    for (const [name, value] of Object.entries(values) as [keyof typeof metrics, number | undefined][]) {
      if (value === undefined || !Number.isFinite(value)) continue;
      this.#quietly(() => this.#metrics.addMetric(name, metrics[name].unit, value));
    }
  }

  /** Writes the added values as one line, if there are any. `beside`: text for people, in the same line. */
  flush(beside: Readonly<Record<string, string>> = {}): void {
    this.#quietly(() => {
      if (!this.#metrics.hasStoredMetrics()) return;
      for (const [key, text] of Object.entries(beside)) this.#metrics.addMetadata(key, text);
      this.#metrics.publishStoredMetrics();
    });
  }

  #quietly(action: () => void): void {
    try {
      action();
    } catch (error) {
      console.warn(JSON.stringify({ message: 'metrics were not written', error: String(error) }));
    }
  }
}
