import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.MoreExecutors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Base64;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.UserRecordFailedException;
import software.amazon.kinesis.producer.UserRecordResult;

/** Puts each record of stdin with the KPL, and writes a line for each as it is acknowledged. Ends with stdin. */
public final class KplWriter {
    public static void main(String[] args) throws Exception {
        JsonNode asked = Json.parsed(args[0]);
        String stream = asked.get("stream").textValue();
        KinesisProducer producer = new KinesisProducer(KplSettings.from(asked));
        for (JsonNode record = Json.read(); record != null; record = Json.read()) {
            ListenableFuture<UserRecordResult> put = producer.addUserRecord(
                    stream,
                    record.get("partitionKey").textValue(),
                    Json.textOrNull(record, "explicitHashKey"),
                    ByteBuffer.wrap(Base64.getDecoder().decode(record.get("data").textValue())));
            Futures.addCallback(put, new Told(record.get("id").textValue()), MoreExecutors.directExecutor());
        }
        producer.flushSync();
        producer.destroy();
    }

    private record Told(String id) implements FutureCallback<UserRecordResult> {
        @Override
        public void onSuccess(UserRecordResult result) {
            tell(Json.object()
                    .put("id", id)
                    .put("shardId", result.getShardId())
                    .put("sequenceNumber", result.getSequenceNumber())
                    .put("attempts", result.getAttempts().size()));
        }

        @Override
        public void onFailure(Throwable failure) {
            String message = failure instanceof UserRecordFailedException put
                    ? put.getResult().getAttempts().stream()
                            .map(attempt -> attempt.getErrorCode() + ": " + attempt.getErrorMessage())
                            .toList()
                            .toString()
                    : String.valueOf(failure);
            tell(Json.object().put("id", id).put("failed", message));
        }

        private static void tell(ObjectNode line) {
            try {
                Json.write(line);
            } catch (IOException cause) {
                throw new UncheckedIOException(cause);
            }
        }
    }
}
