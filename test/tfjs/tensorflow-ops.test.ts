import { customOpTests } from './custom-op-tests.js';
import { describeTensorflow } from './describe-tensorflow.js';

describeTensorflow('custom ops', () => customOpTests('custom op'));
