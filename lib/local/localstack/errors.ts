/** Python or the packages LocalStack needs are missing and could not be installed. */
export class LocalStackEnvironmentError extends Error {
  override readonly name = 'LocalStackEnvironmentError';
}

/** LocalStack did not start, or the one given by SPILLWAY_LOCALSTACK_URL does not answer. */
export class LocalStackStartError extends Error {
  override readonly name = 'LocalStackStartError';
}

/** LocalStack was up, and is no more. */
export class LocalStackEndedError extends Error {
  override readonly name = 'LocalStackEndedError';
}

/** The port asked for is taken. */
export class PortInUseError extends LocalStackStartError {
  readonly port: number;

  constructor(port: number) {
    super(`Port ${port} on 127.0.0.1 is in use; stop what listens there or choose another port.`);
    this.port = port;
  }
}
