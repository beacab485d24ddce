import com.fasterxml.jackson.databind.JsonNode;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.regions.Region;

/**
 * The settings of a client of the AWS SDK, from what a test asks for. The certificate comes from the trust store of the virtual
 * machine, as in an application.
 */
final class SdkSettings {
    private SdkSettings() {}

    static <B extends AwsClientBuilder<B, C>, C> B apply(B builder, JsonNode asked) {
        return builder.region(Region.of(asked.get("region").textValue()))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create(
                        asked.get("accessKeyId").textValue(), asked.get("secretAccessKey").textValue())));
    }
}
