import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequest;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.PutRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.PutRecordsResultEntry;

/** From records of stdin to PutRecords, and from its answer to lines of stdout. */
final class Entries {
    private Entries() {}

    static PutRecordsRequest request(String stream, List<JsonNode> records) {
        List<PutRecordsRequestEntry> entries = records.stream()
                .map(record -> PutRecordsRequestEntry.builder()
                        .partitionKey(record.get("partitionKey").textValue())
                        .explicitHashKey(Json.textOrNull(record, "explicitHashKey"))
                        .data(SdkBytes.fromByteArray(
                                Base64.getDecoder().decode(record.get("data").textValue())))
                        .build())
                .toList();
        return PutRecordsRequest.builder().streamName(stream).records(entries).build();
    }

    /** Tells which records were put, and returns those that failed. */
    static List<JsonNode> told(List<JsonNode> records, PutRecordsResponse answer) throws IOException {
        List<JsonNode> failed = new ArrayList<>();
        for (int n = 0; n < records.size(); n++) {
            PutRecordsResultEntry result = answer.records().get(n);
            if (result.errorCode() != null) failed.add(records.get(n));
            else
                Json.write(Json.object()
                        .put("id", records.get(n).get("id").textValue())
                        .put("shardId", result.shardId())
                        .put("sequenceNumber", result.sequenceNumber()));
        }
        return failed;
    }
}
