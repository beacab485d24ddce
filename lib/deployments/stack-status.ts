/**
 * What the status of a stack means for a deployment. `ready`: it can be updated. `wait`: CloudFormation is at
 * work. `absent`: there is nothing yet, and the CDK creates it (after it has removed what failed). `stuck`:
 * somebody has to help.
 */
export type StackState = 'ready' | 'wait' | 'absent' | 'stuck';

interface StatusRow {
  readonly state: StackState;
  /** For `stuck`: what to do, with STACK for its name. */
  readonly instead?: string;
}

const ready: StatusRow = { state: 'ready' };
const wait: StatusRow = { state: 'wait' };
const absent: StatusRow = { state: 'absent' };
const rollBack: StatusRow = {
  state: 'stuck',
  instead:
    'npx cdk rollback STACK (with --orphan LOGICAL_ID for a resource that cannot be rolled back), then deploy again',
};

/** Every status that CloudFormation gives a stack. */
export const stackStatuses: Readonly<Record<string, StatusRow>> = {
  CREATE_COMPLETE: ready,
  UPDATE_COMPLETE: ready,
  UPDATE_ROLLBACK_COMPLETE: ready,
  IMPORT_COMPLETE: ready,
  IMPORT_ROLLBACK_COMPLETE: ready,
  CREATE_IN_PROGRESS: wait,
  UPDATE_IN_PROGRESS: wait,
  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: wait,
  UPDATE_ROLLBACK_IN_PROGRESS: wait,
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: wait,
  ROLLBACK_IN_PROGRESS: wait,
  DELETE_IN_PROGRESS: wait,
  IMPORT_IN_PROGRESS: wait,
  IMPORT_ROLLBACK_IN_PROGRESS: wait,
  // A stack that was never created: the CDK deletes it, and creates it again.
  ROLLBACK_COMPLETE: absent,
  ROLLBACK_FAILED: absent,
  // There is a change set, and nothing else.
  REVIEW_IN_PROGRESS: absent,
  DELETE_COMPLETE: absent,
  CREATE_FAILED: rollBack,
  UPDATE_FAILED: rollBack,
  UPDATE_ROLLBACK_FAILED: rollBack,
  IMPORT_ROLLBACK_FAILED: rollBack,
  DELETE_FAILED: {
    state: 'stuck',
    instead: 'npx cdk destroy STACK, which says what it cannot delete; then deploy again',
  },
};

/** A status of the future is nothing to guess about. */
export const stackStateOf = (status: string): StatusRow =>
  stackStatuses[status] ?? { state: 'stuck', instead: 'look at STACK in the console of CloudFormation' };
