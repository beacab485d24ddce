import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.util.List;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;

/** Puts the records of stdin with the asynchronous client, which speaks HTTP/2 with Kinesis. Keeps the order of keys by waiting. */
public final class SdkAsyncWriter {
    private static final int BATCH = 500;
    private static final long PAUSE_MS = 100;

    public static void main(String[] args) throws Exception {
        JsonNode asked = Json.parsed(args[0]);
        String stream = asked.get("stream").textValue();
        Records records = new Records();
        try (KinesisAsyncClient client = SdkSettings.apply(KinesisAsyncClient.builder(), asked)
                .endpointOverride(URI.create(asked.get("endpoint").textValue()))
                .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2))
                .build()) {
            for (List<JsonNode> batch = records.next(BATCH); !batch.isEmpty(); batch = records.next(BATCH)) {
                List<JsonNode> left = batch;
                while (!left.isEmpty()) {
                    try {
                        left = Entries.told(
                                left, client.putRecords(Entries.request(stream, left)).join());
                    } catch (java.util.concurrent.CompletionException problem) {
                        Json.write(Json.object().put("problem", String.valueOf(problem.getCause())));
                        Thread.sleep(PAUSE_MS);
                        continue;
                    }
                    if (!left.isEmpty()) Thread.sleep(PAUSE_MS);
                }
            }
        }
    }
}
