import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['node_modules/', 'contract/', '.darkpool/', '.tap/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // An error that nobody hears of is how money is lost.
      'no-empty': ['error', { allowEmptyCatch: false }],
      // tap waits for its own subtests; anything else that is not awaited loses its error.
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', package: '@tapjs/test', name: ['test', 'before', 'teardown', 'after'] }, { from: 'package', package: '@tapjs/core', name: ['test', 'before', 'teardown', 'after'] }] }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      'no-console': 'off',
      eqeqeq: 'error',
    },
  },
  // What runs inside the venue speaks through its logger, which never sees an order's contents.
  { files: ['src/protocol/**', 'src/actors/**', 'src/gateway/**', 'src/settlement/**', 'src/enclave/**', 'src/client/**'], rules: { 'no-console': 'error' } },
)
