/** The CDK could not synthesise or deploy; `logFile` has all that it said. */
export class CdkFailedError extends Error {
  override readonly name = 'CdkFailedError';
  readonly logFile: string;

  constructor(reason: string, logFile: string, options?: ErrorOptions) {
    super(`${reason}\nThe full log is in ${logFile}.`, options);
    this.logFile = logFile;
  }
}

/** CloudFormation was still at work on a stack when the wait was over. */
export class StackBusyError extends Error {
  override readonly name = 'StackBusyError';
}
