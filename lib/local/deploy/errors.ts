/** The CDK app could not be synthesised or deployed; `logFile` has all that the CDK said. */
export class DeployFailedError extends Error {
  override readonly name = 'DeployFailedError';
  readonly logFile: string;

  constructor(reason: string, logFile: string, options?: ErrorOptions) {
    super(`${reason}\nThe full log is in ${logFile}.`, options);
    this.logFile = logFile;
  }
}
