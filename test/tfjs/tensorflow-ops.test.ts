import { customOpTests } from './custom-op-tests.js';
import { customOpsPath, describeTensorflow } from './describe-tensorflow.js';

describeTensorflow('custom ops', () => customOpTests(customOpsPath));
