import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.kinesis.common.HashKeyRangeForLease;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.MultiStreamLease;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseSerializer;
import software.amazon.kinesis.leases.dynamodb.DynamoDBMultiStreamLeaseSerializer;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** Reads lines of JSON, each a lease, and answers each with the item of DynamoDB that the KCL writes of it. */
public final class LeaseWriter {
    public static void main(String[] args) throws Exception {
        for (JsonNode asked = Json.read(); asked != null; asked = Json.read()) {
            boolean several = asked.hasNonNull("stream");
            Lease lease = several ? ofSeveral(asked) : new Lease();
            lease.leaseKey(several
                    ? MultiStreamLease.getLeaseKey(text(asked, "stream"), text(asked, "shardId"))
                    : text(asked, "shardId"));
            fill(lease, asked);
            DynamoDBLeaseSerializer serializer =
                    several ? new DynamoDBMultiStreamLeaseSerializer() : new DynamoDBLeaseSerializer();
            ObjectNode answer = Json.object();
            ObjectNode item = answer.putObject("item");
            for (Map.Entry<String, AttributeValue> one : serializer.toDynamoRecord(lease).entrySet()) {
                write(item.putObject(one.getKey()), one.getValue());
            }
            Json.write(answer);
        }
    }

    private static Lease ofSeveral(JsonNode asked) {
        MultiStreamLease lease = new MultiStreamLease();
        lease.streamIdentifier(text(asked, "stream"));
        lease.shardId(text(asked, "shardId"));
        return lease;
    }

    private static void fill(Lease lease, JsonNode asked) {
        lease.leaseOwner(Json.textOrNull(asked, "owner"));
        lease.leaseCounter(asked.get("counter").longValue());
        lease.ownerSwitchesSinceCheckpoint(asked.get("switches").longValue());
        lease.checkpoint(checkpoint(asked.get("checkpoint")));
        if (asked.hasNonNull("pending")) lease.pendingCheckpoint(checkpoint(asked.get("pending")));
        lease.parentShardIds(texts(asked.get("parents")));
        lease.childShardIds(texts(asked.get("children")));
        if (asked.hasNonNull("hashKeys")) {
            JsonNode keys = asked.get("hashKeys");
            lease.hashKeyRange(new HashKeyRangeForLease(
                    new BigInteger(text(keys, "from")), new BigInteger(text(keys, "to"))));
        }
        if (asked.hasNonNull("throughput")) lease.throughputKBps(asked.get("throughput").doubleValue());
        if (asked.hasNonNull("checkpointOwner")) lease.checkpointOwner(text(asked, "checkpointOwner"));
    }

    private static ExtendedSequenceNumber checkpoint(JsonNode node) {
        return new ExtendedSequenceNumber(text(node, "at"), node.get("sub").longValue());
    }

    private static String text(JsonNode node, String field) {
        return node.get(field).textValue();
    }

    private static List<String> texts(JsonNode nodes) {
        List<String> found = new ArrayList<>();
        nodes.forEach(node -> found.add(node.textValue()));
        return found;
    }

    private static void write(ObjectNode into, AttributeValue value) {
        if (value.s() != null) into.put("S", value.s());
        if (value.n() != null) into.put("N", value.n());
        if (value.hasSs()) {
            ArrayNode all = into.putArray("SS");
            value.ss().forEach(all::add);
        }
    }
}
