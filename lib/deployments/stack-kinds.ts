/**
 * The kinds of stacks of a deployment, by their names, which `lib/stacks/spillway.ts` gives. Every stack is of
 * exactly one kind.
 */
export const stackKinds = {
  primary: { pattern: 'primary', what: 'the canary and the streams of the primary' },
  streams: {
    pattern: '(?:primary|standby)-streams-\\d+-of-\\d+',
    what: 'streams of some cells',
  },
  witness: { pattern: 'witness-(?<region>[a-z0-9-]+)', what: 'an observer' },
  standby: { pattern: 'standby', what: 'an observer, the switches, the conductor and the state' },
  routing: { pattern: 'routing', what: 'the checks of the votes, and the quorum' },
  switches: { pattern: 'routing-switches-\\d+-of-\\d+', what: 'the checks of some switches' },
  cells: { pattern: 'routing-cells-\\d+(?:-of-\\d+)?', what: 'the names of some cells' },
} as const satisfies Readonly<Record<string, { readonly pattern: string; readonly what: string }>>;
export type StackKind = keyof typeof stackKinds;

/** Undefined for a stack that is none of this deployment's. */
export function stackKindOf(stack: string, deployment: string): StackKind | undefined {
  const kinds = Object.keys(stackKinds) as StackKind[];
  return kinds.find((kind) => new RegExp(`^${escaped(deployment)}-${stackKinds[kind].pattern}$`).test(stack));
}

const escaped = (text: string): string => text.replaceAll(/[^a-z0-9-]/gi, '\\$&');

export const isObserver = (kind: StackKind): boolean => kind === 'witness' || kind === 'standby';

/** Stacks with checks that ask the hosts of other stacks. */
export const asksHosts = (kind: StackKind): boolean => ['routing', 'switches', 'cells'].includes(kind);
