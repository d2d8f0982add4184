/**
 * A diagnosis as text, for a forum or an issue: in the language that is understood there, as the server writes it.
 */
import type { Diagnosis, Finding, Hardware, Severity } from '../tokens';

const HEADINGS: Record<Severity, string> = { problem: 'Problems', warning: 'Warnings', note: 'Notes' };

/**
 * Write a diagnosis down, in Markdown.
 *
 * @param hardware - What the machine has; `null` if that is not known.
 */
export function asText(diagnosis: Diagnosis, hardware: Hardware | null): string {
  const { subject, taken, findings, examined } = diagnosis;
  const skipped = examined.filter(({ skipped }) => skipped);
  const groups = (Object.keys(HEADINGS) as Severity[]).map(severity => {
    const found = findings.filter(finding => finding.severity === severity);
    return found.length ? [`\n**${HEADINGS[severity]}**\n`, ...found.map(described)] : [];
  });
  const lines = [
    `GPU kernels: diagnosis of ${subject || 'this machine and its kernels'}, ${taken}`,
    ...(hardware ? [machine(hardware)] : []),
    ...(findings.length ? groups.flat() : ['\nNothing is wrong.']),
    `\nExamined: ${examined.length} things.`,
    ...skipped.map(({ title, skipped }) => `- not looked at: ${title} (${skipped})`)
  ];
  return `${lines.join('\n')}\n`;
}

function described({ check, subject, sentence, cure, evidence }: Finding): string {
  const about = subject ? `${subject}: ` : '';
  return [`- ${about}${sentence} ${cure} [${check}]`, ...evidence.map(fact => `  - \`${fact.trim()}\``)].join('\n');
}

function machine({ gpus, driver, cuda, reason }: Hardware): string {
  const parts = [
    gpus.map(({ name }) => name).join(', ') || 'no GPU',
    driver && `driver ${driver}`,
    cuda && `CUDA up to ${cuda}`,
    reason
  ];
  return parts.filter(Boolean).join(', ');
}
