// The frame of the pages before the log-in.
import { Card } from 'antd';
import type { ReactNode } from 'react';

import { LanguageMenu, ThemeMenu } from './Tools';

export function EntranceCard({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="entrance">
      <Card className="entrance-card" title={<h1>{title}</h1>} extra={<><LanguageMenu /><ThemeMenu /></>}>
        {children}
      </Card>
    </main>
  );
}
