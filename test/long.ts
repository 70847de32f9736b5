/** Whether tests take their long forms: `npm run test:long`, which CI runs. */
export const LONG = process.env.EAT_DML_TEST_LONG === '1';
