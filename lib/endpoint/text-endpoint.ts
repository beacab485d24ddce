import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';

/** Every answer has this many characters, so that its size says nothing and costs nothing. */
const BODY_LENGTH = 32;

/** Answers GET on the paths `read` knows (others give undefined, at once or later) with one padded line, and nothing else. */
export async function answerGet(
  event: LambdaFunctionURLEvent,
  read: (path: string) => Promise<string | undefined> | undefined,
): Promise<LambdaFunctionURLResult> {
  if (event.requestContext?.http?.method !== 'GET') return textResponse(405, 'method not allowed');
  const text = await read(event.rawPath);
  return text === undefined ? textResponse(404, 'not found') : textResponse(200, text);
}

function textResponse(statusCode: number, text: string): LambdaFunctionURLResult {
  return {
    statusCode,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
    body: text.padEnd(BODY_LENGTH),
  };
}
