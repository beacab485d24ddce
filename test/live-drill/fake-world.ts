import type { DrillFacts } from '../../lambda/core/drill.ts';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { ConductorStart } from '../../lib/conductor/input.ts';
import { defaultPolicy } from '../../lib/config/defaults.ts';
import type { DrillPut, LiveDrillPlan, LiveDrillPorts } from '../../lib/live-drill/ports.ts';
import type { RunState } from '../../lib/operate/conductor.ts';

export const NOW_MS = Date.parse('2026-11-25T03:00:00Z');
const STEP_MS = 100;
const PUT_EVERY_MS = 200;
const LATCH_MS = 1_000;
/** Three looks of a switch's check, at 10 s. */
export const CHECK_MS = 30_000;
const MAX_RUN_MS = 100_000;

interface Run {
  readonly input: ConductorStart;
  readonly startedAtMs: number;
  actedAtMs?: number;
  state?: string;
}

export type PortName = Exclude<keyof LiveDrillPorts, 'nowMs' | 'say'>;

const observers = ['us-west-2', 'us-east-2', 'eu-west-1'];

/**
 * Conductor, switch, DNS and streams as a drill sees them, in virtual time: sleeping is what makes time pass. A switch
 * turns DNS 30 s later; a failback waits for the lease of an evacuation, as the real one does.
 */
export class FakeWorld {
  nowMs = NOW_MS;
  position: 'PRIMARY' | 'STANDBY' = 'PRIMARY';
  dns: 'primary' | 'standby' = 'primary';
  readonly calls: PortName[] = [];
  readonly inputs: ConductorStart[] = [];
  readonly journal: JournalEntry[] = [];
  readonly published: Readonly<Record<string, unknown>>[] = [];
  readonly acknowledged: DrillPut[] = [];
  readonly lost = new Set<string>();
  stopped = false;
  /** Thrown by the call of this port that this says yes to; `n` counts its calls from 1. */
  breaks: (port: PortName, n: number) => boolean = () => false;
  /** Whether the call that breaks has done its work, and only its answer is lost. */
  answerLost = false;
  /** Ends that runs of the conductor are given, instead of doing anything. */
  endsAs: (input: ConductorStart, n: number) => string | undefined = () => undefined;
  /** What a run that did its work is said to have ended as. */
  saidToEnd: (state: string) => string = (state) => state;
  facts: (nowMs: number) => Partial<DrillFacts> = () => ({});
  puts = true;
  /** Called as time passes. */
  onTime: (sinceMs: number) => void = () => {};
  epoch = 0;
  readonly #runs = new Map<string, Run>();
  readonly #counts = new Map<PortName, number>();
  #turnsAtMs: number | undefined;

  get isHome(): boolean {
    return this.position === 'PRIMARY' && this.dns === 'primary';
  }

  ports(): LiveDrillPorts {
    const port = <Args extends readonly unknown[], Answer>(
      name: PortName,
      act: (...args: Args) => Answer,
    ) => {
      return async (...args: Args): Promise<Answer> => {
        this.calls.push(name);
        const n = (this.#counts.get(name) ?? 0) + 1;
        this.#counts.set(name, n);
        const breaks = this.breaks(name, n);
        if (breaks && !this.answerLost) throw new Error(`${name} ${n} is broken`);
        const answer = act(...args);
        if (breaks) throw new Error(`the answer to ${name} ${n} is lost`);
        return answer;
      };
    };
    return {
      nowMs: () => this.nowMs,
      say: () => {},
      sleep: async (ms) => this.#pass(ms),
      readFacts: async () => this.#facts(),
      askSignal: port('askSignal', () => this.dns),
      readPosition: port('readPosition', () => this.position),
      claimEpoch: port('claimEpoch', () => {
        this.epoch += 1;
        return this.epoch;
      }),
      start: port('start', (input: ConductorStart) => {
        const run = `run-${input.epoch}`;
        const state = this.endsAs(input, this.inputs.length + 1);
        this.inputs.push(input);
        this.#runs.set(run, { input, startedAtMs: this.nowMs, ...(state === undefined ? {} : { state }) });
        return { run, executionArn: run };
      }),
      runState: port('runState', (executionArn: string) => this.#stateOf(executionArn)),
      startProducer: () => ({
        name: 'drill',
        acknowledged: this.acknowledged,
        stop: port('startProducer', () => {
          this.stopped = true;
        }),
      }),
      readBack: port(
        'readBack',
        () => new Set(this.acknowledged.flatMap(({ id }) => (this.lost.has(id) ? [] : [id]))),
      ),
      journal: port('journal', (entry: JournalEntry) => void this.journal.push(entry)),
      publish: port('publish', (values) => void this.published.push(values)),
    };
  }

  plan(signal: AbortSignal = new AbortController().signal): LiveDrillPlan {
    const regions = { primary: 'us-east-1', standby: 'us-west-2' };
    return { id: 'd1', cell: 'drill', group: 'drill', ...regions, owner: 'ana', reason: 'test', signal };
  }

  #facts(): DrillFacts {
    return {
      nowMs: this.nowMs,
      policy: { ...defaultPolicy, votesToEvacuate: 2 },
      standby: 'us-west-2',
      observers,
      reports: observers.map((region) => ({
        region,
        fresh: true,
        vote: 'HOLD',
        diagnosis: 'Healthy',
        decidedAtMs: this.nowMs - 2_000,
        healthySinceMs: NOW_MS - 3_600_000,
      })),
      control: {},
      lease: undefined,
      newestEpoch: this.epoch,
      primaryShortfalls: [],
      answer: this.dns,
      position: this.position,
      ...this.facts(this.nowMs),
    };
  }

  #pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.nowMs += STEP_MS;
      this.onTime(this.nowMs - NOW_MS);
      for (const run of this.#runs.values()) this.#work(run);
      if (this.#turnsAtMs !== undefined && this.nowMs >= this.#turnsAtMs) {
        this.dns = this.position === 'STANDBY' ? 'standby' : 'primary';
        this.#turnsAtMs = undefined;
      }
      if (this.puts && !this.stopped && this.nowMs % PUT_EVERY_MS === 0) {
        const region = this.dns === 'primary' ? 'us-east-1' : 'us-west-2';
        const id = `put-${this.acknowledged.length}`;
        this.acknowledged.push({ id, producer: 'drill', region, atMs: this.nowMs });
      }
    }
  }

  #work(run: Run): void {
    if (run.state !== undefined) return;
    const { input, startedAtMs } = run;
    const age = this.nowMs - startedAtMs;
    if (input.action === 'evacuate') {
      // Fenced by whatever has begun after it.
      if (run.actedAtMs === undefined && this.#hasActedAfter(input.epoch)) run.state = 'superseded';
      else if (run.actedAtMs === undefined && age >= LATCH_MS) this.#set('STANDBY', run);
      else if (run.actedAtMs !== undefined && (this.dns === 'standby' || age > MAX_RUN_MS))
        run.state = 'latched';
      return;
    }
    const pauseMs = (input.pauseSeconds ?? 300) * 1_000;
    if (run.actedAtMs === undefined && !this.#isHeld() && age >= LATCH_MS) this.#set('PRIMARY', run);
    if (run.actedAtMs !== undefined && this.nowMs >= run.actedAtMs + pauseMs) run.state = 'failed-back';
  }

  #hasActedAfter(epoch: number): boolean {
    return [...this.#runs.values()].some(
      ({ input, actedAtMs }) => actedAtMs !== undefined && input.epoch > epoch,
    );
  }

  #isHeld(): boolean {
    return [...this.#runs.values()].some(
      ({ input, actedAtMs, state }) =>
        input.action === 'evacuate' && actedAtMs !== undefined && state === undefined,
    );
  }

  #set(position: 'PRIMARY' | 'STANDBY', run: Run): void {
    run.actedAtMs = this.nowMs;
    if (this.position !== position) this.#turnsAtMs = this.nowMs + CHECK_MS;
    this.position = position;
  }

  #stateOf(executionArn: string): RunState {
    const run = this.#runs.get(executionArn);
    if (run === undefined) throw new Error(`no run ${executionArn}`);
    if (run.state === undefined) return { running: true };
    const { epoch } = run.input;
    const common = { run: executionArn, startedAtMs: run.startedAtMs, latched: 1, findings: [] };
    return { running: false, report: { ...common, epoch, state: this.saidToEnd(run.state) } };
  }
}
