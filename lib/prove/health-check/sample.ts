/** What one checker last reported. */
export interface Report {
  /** Region and address. */
  readonly checker: string;
  readonly region: string;
  /** The text of AWS, like "Success: HTTP Status Code 200, OK"; undefined before there is one. */
  readonly status: string | undefined;
  readonly checkedAtMs: number | undefined;
}

/** One look at the check and at the zone's name servers, at the same time. */
export interface Sample {
  readonly atMs: number;
  /** Name servers by what they answered. `none`: no such record. Silent ones are left out. */
  readonly primary: number;
  readonly standby: number;
  readonly none: number;
  /** TTL of the answers; absent when there was none. */
  readonly ttlSeconds?: number;
  /** Undefined: GetHealthCheckStatus did not answer. */
  readonly reports: readonly Report[] | undefined;
}

/** What the check is made to ask, phase after phase; each phase begins with an answer of the API. */
export const phases = {
  new: 'the new check, whose text the endpoint does not show',
  'text-shown': 'another text, which the endpoint shows',
  'text-gone': 'the first text again',
  'other-host': 'another endpoint, which does not show its text either',
  'error-status': 'a path that answers 404, with a text that its body shows',
} as const;
export type Phase = keyof typeof phases;

export interface PhaseSeen {
  readonly beganAtMs: number;
  readonly samples: readonly Sample[];
}

export interface HealthCheckSeen {
  /** The TTL that the records were given. */
  readonly ttlSeconds: number;
  /** Phases that were begun. */
  readonly phases: Readonly<Partial<Record<Phase, PhaseSeen>>>;
  /** Set when AWS did not take the records. */
  readonly recordsRefused?: string;
}

const successText = /^success/i;
export const isSuccess = ({ status }: Report): boolean => status !== undefined && successText.test(status);

export const answered = ({ primary, standby, none }: Sample): boolean => primary + standby + none > 0;
export const allPrimary = ({ primary, standby, none }: Sample): boolean =>
  primary > 0 && standby + none === 0;
export const allStandby = ({ primary, standby, none }: Sample): boolean =>
  standby > 0 && primary + none === 0;
