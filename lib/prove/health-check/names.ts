/** What the experiment creates is found again by its names after a crash, and deleted. */
export const PROVE_PRIMARY = 'spillway-prove=primary';
export const PROVE_STANDBY = 'spillway-prove=standby';
/** Name tag of the temporary check. */
export const proveCheckName = (name: string): string => `${name} prove`;

const MARK = '-prove-';
/** Names the check at Route 53 for good, and says when it was made; at most 64 characters. */
export const callerReference = (
  name: string,
  { id, atMs }: { readonly id: string; readonly atMs: number },
): string => `${name}${MARK}${atMs}-${id.slice(0, 8)}`;

/** When a check of this deployment's experiment was made; undefined when it is not one. */
export function madeAtMs(name: string, reference: string | undefined): number | undefined {
  const rest = reference?.startsWith(`${name}${MARK}`)
    ? reference.slice(name.length + MARK.length)
    : undefined;
  const [, digits] = /^(\d{13})-[0-9a-f]{1,8}$/.exec(rest ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}
