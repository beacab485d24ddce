import type { Construct } from 'constructs';
import { z } from 'zod';
import { hostsContext } from '../deployments/given-hosts.ts';
import { GivenHostsError } from './errors.ts';

const hostsSchema = z.record(z.string(), z.string().min(1));

/**
 * Hosts that checks are to ask in place of references to the stacks with the endpoints, by the region of a vote
 * or `switch`. `spillway deploy` gives them when an endpoint has another host than its check asks: the text of
 * a template with references would be the same, and the CDK would skip it.
 *
 * @throws GivenHostsError
 */
export function givenHosts(scope: Construct): Readonly<Record<string, string>> {
  const given: unknown = scope.node.tryGetContext(hostsContext);
  if (given === undefined) return {};
  try {
    // What comes from a command line is a text.
    return hostsSchema.parse(typeof given === 'string' ? JSON.parse(given) : given);
  } catch (cause) {
    throw new GivenHostsError(
      `The context ${hostsContext} is no JSON object of host names: leave it out, and \`spillway deploy\` gives it where it is needed.`,
      { cause },
    );
  }
}
