import { GUARD_RESOURCE } from '../settings/guard.ts';
import type { Resource, Template } from './template.ts';

/** Context of the CDK app by which `spillway deploy` gives hosts in place of references, as a JSON object. */
export const hostsContext = 'spillway:hosts';
/** Its key for the host of the switches; votes have their regions. */
export const SWITCH_HOST = 'switch';

/**
 * Tag of a health check whose host was given. CloudFormation may take a reference and the literal that it stands
 * for now for the same, and leave the check as it is; a tag with the new host is a difference in any case. The
 * guard’s resource has the hosts for the same reason.
 */
export const GIVEN_TAG = 'Host';
export const GIVEN_PROPERTY = 'GivenHosts';

/** A template without the marks of given hosts: whether they are there makes no difference. */
export function withoutGiven(template: Template): Template {
  const resources = Object.entries(template.Resources).map(
    ([id, resource]) => [id, unmarked(resource)] as const,
  );
  return { ...template, Resources: Object.fromEntries(resources) };
}

function unmarked(resource: Resource): Resource {
  const { Type, Properties } = resource;
  if (Type === GUARD_RESOURCE) {
    const { [GIVEN_PROPERTY]: _marks, ...rest } = Properties;
    return { ...resource, Properties: rest };
  }
  const { HealthCheckTags: tags } = Properties;
  if (Type !== 'AWS::Route53::HealthCheck' || !Array.isArray(tags)) return resource;
  const others = tags.filter((tag: { readonly Key?: unknown }) => tag.Key !== GIVEN_TAG);
  return { ...resource, Properties: { ...Properties, HealthCheckTags: others } };
}
