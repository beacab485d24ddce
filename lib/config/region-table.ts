/** Written by scripts/regions.ts, which says where it is from. The day on which it was compared with AWS. */
export const REGIONS_CHECKED_ON = '2026-11-30';

export interface AwsRegion {
  readonly name: string;
  readonly place: string;
  readonly partition: string;
  /** Whether AWS is known to have Lambda function URLs there; not looked up for other partitions. */
  readonly functionUrls: boolean;
}

/** The regions of AWS, by name. */
// biome-ignore format: a row each
export const regionTable: readonly AwsRegion[] = [
  { name: 'af-south-1', place: 'Africa (Cape Town)', partition: 'aws', functionUrls: true },
  { name: 'ap-east-1', place: 'Asia Pacific (Hong Kong)', partition: 'aws', functionUrls: true },
  { name: 'ap-east-2', place: 'Asia Pacific (Taipei)', partition: 'aws', functionUrls: false },
  { name: 'ap-northeast-1', place: 'Asia Pacific (Tokyo)', partition: 'aws', functionUrls: true },
  { name: 'ap-northeast-2', place: 'Asia Pacific (Seoul)', partition: 'aws', functionUrls: true },
  { name: 'ap-northeast-3', place: 'Asia Pacific (Osaka)', partition: 'aws', functionUrls: true },
  { name: 'ap-south-1', place: 'Asia Pacific (Mumbai)', partition: 'aws', functionUrls: true },
  { name: 'ap-south-2', place: 'Asia Pacific (Hyderabad)', partition: 'aws', functionUrls: false },
  { name: 'ap-southeast-1', place: 'Asia Pacific (Singapore)', partition: 'aws', functionUrls: true },
  { name: 'ap-southeast-2', place: 'Asia Pacific (Sydney)', partition: 'aws', functionUrls: true },
  { name: 'ap-southeast-3', place: 'Asia Pacific (Jakarta)', partition: 'aws', functionUrls: true },
  { name: 'ap-southeast-4', place: 'Asia Pacific (Melbourne)', partition: 'aws', functionUrls: false },
  { name: 'ap-southeast-5', place: 'Asia Pacific (Malaysia)', partition: 'aws', functionUrls: false },
  { name: 'ap-southeast-6', place: 'Asia Pacific (New Zealand)', partition: 'aws', functionUrls: false },
  { name: 'ap-southeast-7', place: 'Asia Pacific (Thailand)', partition: 'aws', functionUrls: false },
  { name: 'ca-central-1', place: 'Canada (Central)', partition: 'aws', functionUrls: true },
  { name: 'ca-west-1', place: 'Canada West (Calgary)', partition: 'aws', functionUrls: false },
  { name: 'cn-north-1', place: 'China (Beijing)', partition: 'aws-cn', functionUrls: false },
  { name: 'cn-northwest-1', place: 'China (Ningxia)', partition: 'aws-cn', functionUrls: false },
  { name: 'eu-central-1', place: 'Europe (Frankfurt)', partition: 'aws', functionUrls: true },
  { name: 'eu-central-2', place: 'Europe (Zurich)', partition: 'aws', functionUrls: false },
  { name: 'eu-isoe-west-1', place: 'EU ISOE West', partition: 'aws-iso-e', functionUrls: false },
  { name: 'eu-north-1', place: 'Europe (Stockholm)', partition: 'aws', functionUrls: true },
  { name: 'eu-south-1', place: 'Europe (Milan)', partition: 'aws', functionUrls: true },
  { name: 'eu-south-2', place: 'Europe (Spain)', partition: 'aws', functionUrls: false },
  { name: 'eu-west-1', place: 'Europe (Ireland)', partition: 'aws', functionUrls: true },
  { name: 'eu-west-2', place: 'Europe (London)', partition: 'aws', functionUrls: true },
  { name: 'eu-west-3', place: 'Europe (Paris)', partition: 'aws', functionUrls: true },
  { name: 'eusc-de-east-1', place: 'AWS European Sovereign Cloud (Germany)', partition: 'aws-eusc', functionUrls: false },
  { name: 'il-central-1', place: 'Israel (Tel Aviv)', partition: 'aws', functionUrls: false },
  { name: 'me-central-1', place: 'Middle East (UAE)', partition: 'aws', functionUrls: false },
  { name: 'me-south-1', place: 'Middle East (Bahrain)', partition: 'aws', functionUrls: true },
  { name: 'me-west-1', place: 'Middle East (Saudi Arabia)', partition: 'aws', functionUrls: false },
  { name: 'mx-central-1', place: 'Mexico (Central)', partition: 'aws', functionUrls: false },
  { name: 'sa-east-1', place: 'South America (Sao Paulo)', partition: 'aws', functionUrls: true },
  { name: 'sa-west-1', place: 'South America (Chile)', partition: 'aws', functionUrls: false },
  { name: 'us-east-1', place: 'US East (N. Virginia)', partition: 'aws', functionUrls: true },
  { name: 'us-east-2', place: 'US East (Ohio)', partition: 'aws', functionUrls: true },
  { name: 'us-gov-east-1', place: 'AWS GovCloud (US-East)', partition: 'aws-us-gov', functionUrls: false },
  { name: 'us-gov-west-1', place: 'AWS GovCloud (US-West)', partition: 'aws-us-gov', functionUrls: false },
  { name: 'us-iso-east-1', place: 'US ISO East', partition: 'aws-iso', functionUrls: false },
  { name: 'us-iso-west-1', place: 'US ISO WEST', partition: 'aws-iso', functionUrls: false },
  { name: 'us-isob-east-1', place: 'US ISOB East (Ohio)', partition: 'aws-iso-b', functionUrls: false },
  { name: 'us-isob-west-1', place: 'US ISOB West', partition: 'aws-iso-b', functionUrls: false },
  { name: 'us-isof-east-1', place: 'US ISOF EAST', partition: 'aws-iso-f', functionUrls: false },
  { name: 'us-isof-south-1', place: 'US ISOF SOUTH', partition: 'aws-iso-f', functionUrls: false },
  { name: 'us-west-1', place: 'US West (N. California)', partition: 'aws', functionUrls: true },
  { name: 'us-west-2', place: 'US West (Oregon)', partition: 'aws', functionUrls: true },
];

/** What the names of all regions of another partition begin with, also of those that are not in the table. */
export const otherPartitions: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['eusc-', 'aws-eusc'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
  ['us-gov-', 'aws-us-gov'],
];
