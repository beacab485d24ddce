/** The field of a call that names a stream: by its ARN where it is in another account, else by its name. */
export const streamField = (
  stream: string,
): { readonly StreamName: string } | { readonly StreamARN: string } =>
  stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
