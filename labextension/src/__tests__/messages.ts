/**
 * The messages that a catalogue must have: those of the sources, of the settings, and of the bundled frameworks.
 */
import ts from 'typescript';

/** The context ends here in a key of a catalogue. */
const CONTEXT_END = '\u0004';

/**
 * A message.
 */
export interface IMessage {
  /** Its key in a catalogue: context and text. */
  key: string;
  /** All its English forms: the text, and its plural. */
  forms: string[];
}

/**
 * What was found in the sources.
 */
export interface IFound {
  messages: IMessage[];
  /** Files with calls whose text is no literal. */
  dynamic: string[];
}

/** The methods of a bundle, by the positions of context, text and plural among their arguments. */
const METHODS: Record<string, { context?: number; text: number; plural?: number }> = {
  __: { text: 0 },
  _n: { text: 0, plural: 1 },
  _p: { context: 0, text: 1 },
  _np: { context: 0, text: 1, plural: 2 }
};

/** Texts of files by their paths. */
export type Files = Record<string, string>;

/** The messages of all sources. */
export function ofSources(files: Files): IFound {
  const found = Object.entries(files).map(([file, text]) => ({ file, ...ofSource(text, file) }));
  return {
    messages: found.flatMap(({ messages }) => messages),
    dynamic: found.flatMap(({ file, dynamic }) => dynamic.map(() => file))
  };
}

/** The messages of a source. */
export function ofSource(text: string, file: string): IFound {
  const found: IFound = { messages: [], dynamic: [] };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression, name } = node.expression;
      const method = Object.hasOwn(METHODS, name.text) ? METHODS[name.text] : undefined;
      // JupyterLab's own bundle has JupyterLab's own texts.
      if (method && /(^|[._])trans$/.test(expression.getText())) {
        const literal = (position: number | undefined): string | undefined => {
          const argument = position === undefined ? undefined : node.arguments[position];
          return argument && ts.isStringLiteralLike(argument) ? argument.text : undefined;
        };
        const message = literal(method.text);
        if (message === undefined) {
          found.dynamic.push(node.getText());
        } else {
          found.messages.push(made(message, literal(method.context), literal(method.plural)));
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

/** The messages of a settings schema: titles and descriptions wherever they are. */
export function ofSettings(schema: object, context = 'schema'): IMessage[] {
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => {
    if (typeof value === 'object' && value !== null) {
      return ofSettings(value, 'settings');
    }
    if (typeof value !== 'string') {
      return [];
    }
    if (key === 'title' || key === 'description') {
      return [made(value, context)];
    }
    return key === 'jupyter.lab.setting-icon-label' ? [made(value, 'settings')] : [];
  });
}

/** The sentences of the bundled frameworks: TOML's strings of one line are written as JSON's. */
export function ofFrameworks(files: Files): IMessage[] {
  return Object.values(files).flatMap(text => {
    const sentences = text.matchAll(/^(?:summary|description|legacy|note|reason|cure|apple|amd|none) = (".*")$/gm);
    return Array.from(sentences, ([, sentence]) => made(JSON.parse(sentence) as string));
  });
}

/** The fixed sentences in Python: texts that begin with a capital and end with a full stop, but no docstrings. */
export function ofPython(files: Files): IMessage[] {
  return Object.values(files).flatMap(text => {
    const sentences = text.matchAll(/(?<!["f])"([A-Z][^"{}\\\n]* [^"{}\\\n]*\.)"(?!")/g);
    return Array.from(sentences, ([, sentence]) => made(sentence));
  });
}

function made(text: string, context?: string, plural?: string): IMessage {
  return {
    key: context === undefined ? text : `${context}${CONTEXT_END}${text}`,
    forms: plural === undefined ? [text] : [text, plural]
  };
}
