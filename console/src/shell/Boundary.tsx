// Keeps a fault of one page from taking the console along; also where a page's file can't be fetched any more, because
// the box was updated meanwhile.
import { Button, Result } from 'antd';
import { Component, type ReactNode } from 'react';

import { texts, useTexts } from '../lib/texts';

const T = texts({
  title: ['This page failed', '页面出错'],
  hint: ['Load it again. If that does not help, the box may have been updated.', '请重新加载。如果仍有问题，主机可能已升级。'],
  reload: ['Load again', '重新加载'],
});

function Fault({ message }: { message: string }) {
  const t = useTexts(T);
  return (
    <Result
      status="warning"
      title={t('title')}
      subTitle={
        <>
          {t('hint')}
          <br />
          <code>{message}</code>
        </>
      }
      extra={
        <Button type="primary" onClick={() => window.location.reload()}>
          {t('reload')}
        </Button>
      }
    />
  );
}

interface Properties {
  children: ReactNode;
  /** Another value forgets the fault: the visitor has gone elsewhere. */
  place?: string;
}

export class Boundary extends Component<Properties, { error?: Error }> {
  state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  componentDidUpdate(before: Properties) {
    if (this.state.error && before.place !== this.props.place) this.setState({ error: undefined });
  }

  render() {
    return this.state.error ? <Fault message={this.state.error.message} /> : this.props.children;
  }
}
