export const drillSchedules = ['weekly', 'off'] as const;

export type DrillSchedule = (typeof drillSchedules)[number];
