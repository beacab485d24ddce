import { switchPath, votePath } from '../../../lambda/core/names.ts';
import type { Config } from '../../config/config.ts';
import type { HealthCheckStatus } from '../../route53/data-plane.ts';

const functionUrlRegion = /\.lambda-url\.([a-z0-9-]+)\./;

/**
 * A health check's name for people. In an account it is the Name tag, which LocalStack's CloudFormation does
 * not write.
 */
export function checkLabel({ id, name, check }: HealthCheckStatus, config: Config): string {
  if (name !== undefined) return name;
  if (check.kind === 'calculated') return `${config.name} quorum`;
  const { resourcePath, fqdn = '' } = check;
  if (resourcePath === votePath) return `${config.name} vote ${functionUrlRegion.exec(fqdn)?.[1] ?? fqdn}`;
  const cell = config.cells.find(({ group }) => switchPath(group) === resourcePath);
  return cell === undefined ? id : `${config.name} switch ${cell.group}`;
}
