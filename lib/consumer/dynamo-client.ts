/** A DynamoDBClient or DynamoDBDocumentClient of the AWS SDK, version 3. */
export interface DynamoClient {
  send(command: never, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
}
