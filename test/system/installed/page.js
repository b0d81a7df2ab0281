// What a page does with the client, built by a bundler: it reports the first event on the page itself.
import { connect } from '@evenkeel/client';

globalThis.listen(connect);
