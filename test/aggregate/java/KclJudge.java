import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.List;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** Reads lines of JSON, answers each with one: the KCL takes an aggregate apart, for a shard if there is a range. */
public final class KclJudge {
    public static void main(String[] args) throws Exception {
        AggregatorUtil util = new AggregatorUtil();
        for (JsonNode question = Json.read(); question != null; question = Json.read()) {
            KinesisClientRecord whole = KinesisClientRecord.builder()
                    .partitionKey("whole")
                    .sequenceNumber("1")
                    .data(ByteBuffer.wrap(Base64.getDecoder().decode(question.get("takeApart").textValue())))
                    .build();
            List<KinesisClientRecord> found = question.has("from")
                    ? util.deaggregate(
                            List.of(whole), question.get("from").textValue(), question.get("to").textValue())
                    : util.deaggregate(List.of(whole));
            ObjectNode answer = Json.object();
            ArrayNode records = answer.putArray("records");
            for (KinesisClientRecord one : found) {
                byte[] data = new byte[one.data().remaining()];
                one.data().get(data);
                records.addObject()
                        .put("partitionKey", one.partitionKey())
                        .put("explicitHashKey", one.explicitHashKey())
                        .put("aggregated", one.aggregated())
                        .put("subSequenceNumber", one.subSequenceNumber())
                        .put("data", Base64.getEncoder().encodeToString(data));
            }
            Json.write(answer);
        }
    }
}
