import type { ExperimentName } from '../assumptions/experiments.ts';
import { canary } from './canary.ts';
import { cbor } from './cbor.ts';
import { type RunnableCheck, runnable } from './check.ts';
import { deployment } from './deployment.ts';
import { endpoints } from './endpoints.ts';
import { healthCheck } from './health-check/health-check.ts';
import { metrics } from './metrics.ts';
import { move } from './move.ts';
import { resolver } from './resolver.ts';
import { startKey } from './start-key.ts';
import { votes } from './votes.ts';

/** Every experiment. What each of them is, costs and takes is in lib/assumptions. */
export const checks: Readonly<Record<ExperimentName, RunnableCheck>> = {
  deployment: runnable(deployment),
  endpoints: runnable(endpoints),
  canary: runnable(canary),
  cbor: runnable(cbor),
  'start-key': runnable(startKey),
  metrics: runnable(metrics),
  resolver: runnable(resolver),
  votes: runnable(votes),
  'health-check': runnable(healthCheck),
  move: runnable(move),
};
