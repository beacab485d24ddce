import { z } from 'zod';
import type { Effect } from './schema.ts';
import { wireContent } from './wire-content.ts';

const answerSchema = z.looseObject({
  FailedRecordCount: z.number().optional(),
  Records: z.array(z.looseObject({ ErrorCode: z.string().optional() })),
});

/**
 * The answer of PutRecords, with some of its entries refused as Kinesis refuses them: status 200, and an error code in
 * place of the sequence number. Their records have been stored all the same, as after an answer that was lost; whoever
 * sends them again writes them twice. An answer that is none of PutRecords, such as an error, is left as it is.
 */
export function refusedInPart(
  content: Buffer,
  { code, rate }: Extract<Effect, { readonly kind: 'partial' }>,
  random: () => number,
): Buffer {
  const read = wireContent(content);
  const parsed = answerSchema.safeParse(read?.value);
  if (read === undefined || !parsed.success) return content;
  const Records = parsed.data.Records.map((entry) =>
    random() < rate ? { ErrorCode: code, ErrorMessage: 'Internal service failure.' } : entry,
  );
  const FailedRecordCount = Records.filter(({ ErrorCode }) => ErrorCode !== undefined).length;
  return read.encode({ ...parsed.data, FailedRecordCount, Records });
}
