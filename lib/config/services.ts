import { isIPv4, isIPv6 } from 'node:net';
import type { Role } from '../../lambda/core/role.ts';
import { Claims } from './claims.ts';
import type { ServiceName } from './config.ts';
import { type ConfigProblem, quote } from './errors.ts';

/** Presentation length of a DNS name (RFC 1035: 255 octets on the wire). */
export const MAX_NAME_LENGTH = 253;
const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const hostName = new RegExp(`^(?=.{1,${MAX_NAME_LENGTH}}\\.?$)${label}(?:\\.${label})*\\.?$`, 'i');

/** The values that a record of each type may hold. */
const values = {
  A: { is: isIPv4, what: 'an IPv4 address' },
  // An address with a zone index (fe80::1%eth0) means something on one host alone.
  AAAA: { is: (value: string) => isIPv6(value) && !value.includes('%'), what: 'an IPv6 address' },
  CNAME: { is: (value: string) => hostName.test(value) && !isIPv4(value), what: 'a host name' },
} as const satisfies Record<ServiceName['type'], { is: (value: string) => boolean; what: string }>;

interface Place {
  readonly cell: string;
  readonly path: string;
}

/** Rules for service names; remembers the names seen, across cells. */
export class ServiceRules {
  readonly #zone: string;
  readonly #deployment: string;
  readonly #records = new Claims();
  readonly #owners = new Map<string, { readonly cell: string; readonly type: ServiceName['type'] }>();

  constructor({ name, zone }: { readonly name: string; readonly zone: { readonly name: string } }) {
    this.#zone = zone.name;
    this.#deployment = name;
  }

  check(service: ServiceName, place: Place): readonly ConfigProblem[] {
    return [
      ...this.#nameProblems(service, place),
      ...valueProblems(service, 'primary', place.path),
      ...valueProblems(service, 'standby', place.path),
    ];
  }

  #nameProblems(service: ServiceName, { cell, path }: Place): readonly ConfigProblem[] {
    const { name, type } = service;
    const at = `${path}.name`;
    const reserved = reservedFor(name, this.#deployment);
    if (reserved !== undefined) {
      return [{ path: at, problem: `${name} is reserved for ${reserved}`, fix: 'Choose another name.' }];
    }
    if (name === this.#zone || name.endsWith(`.${this.#zone}`)) {
      const problem = `${name} repeats the zone ${this.#zone}, and would become ${name}.${this.#zone}`;
      return [{ path: at, problem, fix: 'Write the name without the zone.' }];
    }
    const made = `primary.${name}.${this.#zone}`;
    if (made.length > MAX_NAME_LENGTH) {
      const problem = `makes the DNS name ${made}, longer than ${MAX_NAME_LENGTH} characters`;
      return [{ path: at, problem, fix: 'Shorten the name, or use a zone with a shorter name.' }];
    }
    const owner = this.#owners.get(name);
    if (owner === undefined) this.#owners.set(name, { cell, type });
    else if (owner.cell !== cell) {
      const problem = `${name} belongs to the cell ${owner.cell} already`;
      return [{ path: at, problem, fix: 'Let each name follow one cell.' }];
    } else if (owner.type !== type && (owner.type === 'CNAME' || type === 'CNAME')) {
      const problem = `${name} is both a CNAME and another type, which DNS does not allow`;
      return [{ path: at, problem, fix: 'Keep the CNAME, or the A and AAAA records.' }];
    }
    return this.#records.take(`${type} ${name}`, at, `Write all values of this ${type} name in one service.`);
  }
}

/** The names that Spillway makes itself; `primary.<name>` is a part of every tree. */
function reservedFor(name: string, deployment: string): string | undefined {
  if (name === 'region' || name === `region.${deployment}`) return 'the region record';
  const [first] = name.split('.');
  if (first === 'signal') return 'the signals of cells';
  return first === 'primary' ? "the records under each name's tree" : undefined;
}

function valueProblems(service: ServiceName, role: Role, path: string): readonly ConfigProblem[] {
  const { type } = service;
  const at = `${path}.${role}`;
  const { is, what } = values[type];
  const problems: ConfigProblem[] = service[role]
    .filter((value) => !is(value))
    .map((value) => ({
      path: at,
      problem: `${quote(value)} is not ${what}`,
      fix: `A record of type ${type} holds ${what}.`,
    }));
  if (type === 'CNAME' && service[role].length > 1) {
    problems.push({ path: at, problem: 'is more than one host name', fix: 'A CNAME points to one host.' });
  }
  if (new Set(service[role]).size < service[role].length) {
    problems.push({ path: at, problem: 'holds a value twice', fix: 'Write each value once.' });
  }
  return problems;
}
