import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.util.List;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;

/** Puts the records of stdin with the synchronous client, HTTP/1.1: one PutRecords after the other, and what failed again. */
public final class SdkWriter {
    private static final int BATCH = 500;
    private static final long PAUSE_MS = 100;

    public static void main(String[] args) throws Exception {
        JsonNode asked = Json.parsed(args[0]);
        String stream = asked.get("stream").textValue();
        Records records = new Records();
        try (KinesisClient client = SdkSettings.apply(KinesisClient.builder(), asked)
                .endpointOverride(URI.create(asked.get("endpoint").textValue()))
                .httpClient(Apache5HttpClient.create())
                .build()) {
            for (List<JsonNode> batch = records.next(BATCH); !batch.isEmpty(); batch = records.next(BATCH)) {
                List<JsonNode> left = batch;
                while (!left.isEmpty()) {
                    try {
                        left = Entries.told(left, client.putRecords(Entries.request(stream, left)));
                    } catch (SdkException problem) {
                        Json.write(Json.object().put("problem", String.valueOf(problem.getMessage())));
                        Thread.sleep(PAUSE_MS);
                        continue;
                    }
                    if (!left.isEmpty()) Thread.sleep(PAUSE_MS);
                }
            }
        }
    }
}
