import { type FollowerHooks, type FollowerOptions, SignalFollower } from './signal-follower.ts';

export interface Following {
  /** Stops following for this caller alone. */
  stop(): void;
}

interface Shared {
  readonly follower: SignalFollower;
  users: number;
}

/** The followers of this process, by question and settings. */
const followers = new Map<string, Shared>();

/**
 * Follows a signal, together with all callers in this process that follow the same signal in the same way: a
 * VPC's resolver takes 1,024 packets a second from a network interface, however many producers are behind it.
 * The first caller's `random` draws the jitter.
 */
export function follow(options: FollowerOptions, hooks: FollowerHooks, random: () => number): Following {
  const key = keyOf(options);
  const shared = followers.get(key) ?? { follower: new SignalFollower(options, { random }), users: 0 };
  followers.set(key, shared);
  shared.users++;
  const leave = shared.follower.join(hooks);
  let left = false;
  return {
    stop: () => {
      if (left) return;
      left = true;
      leave();
      shared.users--;
      if (shared.users > 0) return;
      followers.delete(key);
      shared.follower.stop();
    },
  };
}

function keyOf({ signal, regions }: FollowerOptions): string {
  const { name, servers, pollMs, timeoutMs, ttlSeconds } = signal;
  return JSON.stringify([name.toLowerCase(), servers, pollMs, timeoutMs, ttlSeconds, [...regions].sort()]);
}
