/**
 * The lint rules of this house that no stock rule can express: the import law and the ban on ambient time.
 * Loaded by .oxlintrc.json; it judges syntax only and must never read files.
 */
import { relative, sep } from 'node:path';
import { judgeImport } from './import-law.ts';

/** The part of the syntax tree that the rules look at. */
interface SyntaxNode {
  readonly type: string;
  readonly value?: unknown;
  readonly name?: string;
  readonly computed?: boolean;
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly source?: SyntaxNode | null;
  readonly specifiers?: readonly SyntaxNode[];
  readonly object?: SyntaxNode;
  readonly property?: SyntaxNode;
  readonly callee?: SyntaxNode;
  readonly arguments?: readonly SyntaxNode[];
}

interface RuleContext {
  readonly filename: string;
  readonly cwd: string;
  report(problem: { node: SyntaxNode; message: string }): void;
}

const isTypeOnlyImport = (node: SyntaxNode): boolean => {
  if (node.importKind === 'type' || node.exportKind === 'type') return true;
  const names = node.specifiers ?? [];
  return (
    names.length > 0 &&
    names.every((name) => name.importKind === 'type' || name.exportKind === 'type')
  );
};

const importLaw = {
  create: (context: RuleContext) => {
    const from = relative(context.cwd, context.filename).split(sep).join('/');
    const check = (
      node: SyntaxNode,
      source: SyntaxNode | null | undefined,
      isTypeOnly: boolean,
    ) => {
      if (source === null || source === undefined) return;
      if (typeof source.value !== 'string') {
        context.report({
          node,
          message: 'an import names a literal, so that the import law can judge it',
        });
        return;
      }
      const verdict = judgeImport({ from, specifier: source.value, isTypeOnly });
      if (verdict !== undefined) context.report({ node, message: `import law: ${verdict}` });
    };
    const declaration = (node: SyntaxNode) => check(node, node.source, isTypeOnlyImport(node));
    return {
      ImportDeclaration: declaration,
      ExportNamedDeclaration: declaration,
      ExportAllDeclaration: declaration,
      ImportExpression: (node: SyntaxNode) => check(node, node.source, false),
      TSImportType: (node: SyntaxNode) => check(node, node.source, true),
    };
  },
};

const isDate = (node: SyntaxNode | undefined): boolean =>
  node !== undefined &&
  ((node.type === 'Identifier' && node.name === 'Date') ||
    (node.type === 'MemberExpression' && propertyName(node) === 'Date'));

const propertyName = (node: SyntaxNode): unknown =>
  node.computed === true ? node.property?.value : node.property?.name;

const noAmbientTime = {
  create: (context: RuleContext) => {
    const refuse = (node: SyntaxNode) =>
      context.report({ node, message: 'time comes from the clock port, not from Date' });
    return {
      MemberExpression: (node: SyntaxNode) => {
        if (isDate(node.object) && propertyName(node) === 'now') refuse(node);
      },
      NewExpression: (node: SyntaxNode) => {
        if (isDate(node.callee) && node.arguments?.length === 0) refuse(node);
      },
      CallExpression: (node: SyntaxNode) => {
        if (isDate(node.callee)) refuse(node);
      },
    };
  },
};

// Oxlint loads a plugin by its default export.
export default {
  meta: { name: 'latchkey' },
  rules: { 'import-law': importLaw, 'no-ambient-time': noAmbientTime },
};
