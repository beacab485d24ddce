/** The settings of one life of the sidecar, as JSON in its first argument. */
export interface SidecarLifeOptions {
  readonly directory: string;
  /** Of the sink. */
  readonly url: string;
  readonly port: number;
}

export const SIDECAR_CELL = 'orders';
