/** A moment in UTC to the minute, as listings show it: 2025-01-02 03:04. */
export function shortMoment(moment: string): string {
  return moment.slice(0, 16).replace('T', ' ')
}
