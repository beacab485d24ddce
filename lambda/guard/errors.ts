/** A deployment would move traffic, or nobody could tell. The message says why, and what to do instead. */
export class DeploymentRefusedError extends Error {
  override readonly name = 'DeploymentRefusedError';
}

/** CloudFormation could not be told the outcome; the deployment then waits for its time-out, and rolls back. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
}
