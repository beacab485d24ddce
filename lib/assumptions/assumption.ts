import type { ExperimentName } from './experiments.ts';

/** A statement about AWS on which Spillway stands, and which only AWS can confirm. */
export interface Assumption {
  /** For `spillway prove --only`. */
  readonly id: string;
  readonly statement: string;
  /** What is built on the statement, and what breaks if it is false. */
  readonly breaks: string;
  readonly source: Source;
  readonly proof: Proof;
}

/** `doc`: AWS documents it, on the page named here. `inferred`: no page of AWS says so. */
export type Source = { readonly doc: string } | 'inferred';

/** The experiment of `spillway prove` that shows it and what it looks at; or why there is none. */
export type Proof =
  | { readonly experiment: ExperimentName; readonly how: string }
  | { readonly notProven: string };
