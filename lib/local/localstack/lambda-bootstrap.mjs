/**
 * The Lambda runtime of the local world: loads the handler named by _HANDLER from the current directory and calls it once
 * per line of standard input. Answers leave by the pipe numbered SPILLWAY_ANSWERS_FD, so that handlers may print freely.
 */
import { existsSync, writeSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

const answersFd = Number(process.env.SPILLWAY_ANSWERS_FD);
delete process.env.SPILLWAY_ANSWERS_FD;

let requestId = '';

for (const [method, level] of [
  ['log', 'INFO'],
  ['info', 'INFO'],
  ['debug', 'DEBUG'],
  ['warn', 'WARN'],
  ['error', 'ERROR'],
]) {
  console[method] = (...parts) =>
    process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${format(...parts)}\n`);
}

function answer(message) {
  let rest = Buffer.from(`${JSON.stringify(message)}\n`);
  while (rest.length > 0) rest = rest.subarray(writeSync(answersFd, rest));
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

function fail(error) {
  console.error(error);
  answer({ type: 'failed', error: describe(error) });
}

/** As Lambda does: an error that nobody caught fails the invocation under way and ends the process. */
function failAndExit(error) {
  fail(error);
  process.exit(129);
}

async function loadHandler() {
  const name = process.env._HANDLER ?? '';
  const dot = name.lastIndexOf('.');
  const module = path.resolve(name.slice(0, dot));
  const file = ['.js', '.mjs', '.cjs']
    .map((extension) => module + extension)
    .find((each) => existsSync(each));
  if (file === undefined) {
    throw Object.assign(new Error(`Cannot find module '${module}'`), { name: 'Runtime.ImportModuleError' });
  }
  const loaded = await import(pathToFileURL(file).href);
  const exported = name.slice(dot + 1);
  const handler = loaded[exported] ?? loaded.default?.[exported];
  if (typeof handler !== 'function') {
    throw Object.assign(new Error(`${name} is undefined or not exported`), {
      name: 'Runtime.HandlerNotFound',
    });
  }
  return handler;
}

function contextOf(request) {
  return {
    awsRequestId: request.requestId,
    invokedFunctionArn: request.functionArn,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, request.deadlineMs - Date.now()),
  };
}

async function run(request) {
  requestId = request.requestId;
  process.env._X_AMZN_TRACE_ID = request.traceId;
  try {
    const result = await (await handler)(JSON.parse(request.event), contextOf(request));
    answer({ type: 'result', result: JSON.stringify(result === undefined ? null : result) });
  } catch (error) {
    fail(error);
  }
}

process.on('uncaughtException', failAndExit);
process.on('unhandledRejection', failAndExit);

const requests = createInterface({ input: process.stdin });
requests.on('line', (line) => run(JSON.parse(line)));
// LocalStack has gone: nobody is left to answer to.
requests.on('close', () => process.exit(0));

const handler = loadHandler();
handler.then(() => answer({ type: 'ready' }), failAndExit);
