/**
 * The rules of JupyterLab's extensions, and those of typescript-eslint that know the types.
 */
import jupyter from '@jupyter/eslint-plugin';
import { defineConfig } from 'eslint/config';
import typescript from 'typescript-eslint';

export default defineConfig(
  {
    // Generated, or built.
    ignores: ['lib/', 'node_modules/', 'src/schema.ts']
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [typescript.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // JupyterLab's way to keep statics and private functions beside their class.
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      // Lumino's signals take a method and its object.
      '@typescript-eslint/unbound-method': 'off'
    }
  },
  {
    plugins: { jupyter },
    extends: [jupyter.configs.recommended]
  },
  {
    files: ['src/__tests__/**'],
    rules: {
      'jupyter/command-described-by': 'off',
      'jupyter/no-untranslated-string': 'off',
      'jupyter/require-signal-cleanup': 'off',
      'jupyter/prefer-signal-this-arg': 'off',
      'jupyter/require-disposable-ownership': 'off',
      'jupyter/require-disposable-transfer': 'off'
    }
  }
);
