/** Context of the CDK app by which `spillway deploy` gives hosts in place of references, as a JSON object. */
export const hostsContext = 'spillway:hosts';
/** Its key for the host of the switches; votes have their regions. */
export const SWITCH_HOST = 'switch';
