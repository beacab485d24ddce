import com.fasterxml.jackson.databind.JsonNode;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;

/** The KPL's configuration, from what a test asks for. What is not asked for is as the KPL has it. */
final class KplSettings {
    private KplSettings() {}

    static KinesisProducerConfiguration from(JsonNode asked) {
        KinesisProducerConfiguration config = new KinesisProducerConfiguration()
                .setRegion(asked.get("region").textValue())
                .setKinesisEndpoint(asked.get("host").textValue())
                .setKinesisPort(asked.get("port").longValue())
                .setCredentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create(
                        asked.get("accessKeyId").textValue(), asked.get("secretAccessKey").textValue())))
                // Its CloudWatch would be the real one.
                .setMetricsLevel("none")
                .setLogLevel("warning")
                .setTempDirectory(asked.get("tempDirectory").textValue());
        if (asked.has("caFile")) config.setCaCertFile(asked.get("caFile").textValue());
        if (asked.has("verify")) config.setVerifyCertificate(asked.get("verify").booleanValue());
        if (asked.has("aggregate")) config.setAggregationEnabled(asked.get("aggregate").booleanValue());
        if (asked.has("maxConnections")) config.setMaxConnections(asked.get("maxConnections").longValue());
        if (asked.has("rateLimit")) config.setRateLimit(asked.get("rateLimit").longValue());
        if (asked.has("recordTtlMs")) config.setRecordTtl(asked.get("recordTtlMs").longValue());
        if (asked.has("requestTimeoutMs")) config.setRequestTimeout(asked.get("requestTimeoutMs").longValue());
        if (asked.has("maxBufferedMs")) config.setRecordMaxBufferedTime(asked.get("maxBufferedMs").longValue());
        if (asked.has("trackOldest")) config.setEnableOldestFutureTracker(asked.get("trackOldest").booleanValue());
        if (asked.has("threadPool")) {
            config.setThreadingModel(KinesisProducerConfiguration.ThreadingModel.POOLED);
            config.setThreadPoolSize(asked.get("threadPool").intValue());
        }
        return config;
    }
}
