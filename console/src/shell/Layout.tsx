// Navigation beside (or, on a phone, above) the page.
import { MenuOutlined } from '@ant-design/icons';
import { Button, Drawer, Grid, Layout as AntLayout, Menu } from 'antd';
import { Suspense, useEffect, useRef, useState } from 'react';

import { EmptyState, Loading } from '../components/States';
import { href, useRoute } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { pageOf, pages, pageTitles } from '../pages';
import { useSession } from '../session';
import { Boundary } from './Boundary';
import { Tools } from './Tools';

const T = texts({
  menu: ['Open the navigation', '打开导航'],
  navigation: ['Navigation', '导航'],
  skip: ['Skip to the page', '跳到正文'],
  missing: ['There is no such page', '页面不存在'],
});

function Navigation({ current, onChoose }: { current: string; onChoose?: () => void }) {
  const t = useTexts(T);
  const title = useTexts(pageTitles);
  const { may } = useSession();
  const items = pages
    .filter((page) => may(page.role) && !page.hidden)
    .map((page) => ({ key: page.path, icon: page.icon, label: <a href={href(page.path)}>{title(page.title)}</a> }));
  return (
    <nav aria-label={t('navigation')}>
      <Menu mode="inline" selectedKeys={[current]} items={items} onClick={onChoose} />
    </nav>
  );
}

function Brand() {
  const { session } = useSession();
  return (
    <a className="brand" href="#/">
      <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden>
        <rect width="32" height="32" rx="7" fill="#1668dc" />
        <circle cx="16" cy="13" r="5" fill="#fff" />
        <path d="M6 27c1.500-5.600 5.300-8 10-8s8.500 2.400 10 8z" fill="#fff" />
      </svg>
      <span>{session?.box_name || 'AIBOX'}</span>
    </a>
  );
}

export function Layout() {
  const t = useTexts(T);
  const title = useTexts(pageTitles);
  const { path } = useRoute();
  const { may } = useSession();
  const wide = Grid.useBreakpoint().lg ?? true;
  const [open, setOpen] = useState(false);
  const page = pageOf(path);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  useEffect(() => {
    document.title = page ? `${title(page.title)} · AIBOX` : 'AIBOX';
  }, [page, title]);

  // Whoever uses a keyboard or a screen reader goes on reading where the new page begins.
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus();
  }, [page]);

  const Contents = page && may(page.role) ? page.component : undefined;
  return (
    <AntLayout className="layout">
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>
        {t('skip')}
      </a>
      {wide && (
        <AntLayout.Sider width={208} className="sider">
          <Brand />
          <Navigation current={page?.path ?? ''} />
        </AntLayout.Sider>
      )}
      <Drawer open={!wide && open} onClose={() => setOpen(false)} placement="left" size={260} title="AIBOX" styles={{ body: { padding: 0 } }}>
        <Navigation current={page?.path ?? ''} onChoose={() => setOpen(false)} />
      </Drawer>
      <AntLayout>
        <AntLayout.Header className="header">
          {!wide && <Button type="text" icon={<MenuOutlined />} aria-label={t('menu')} onClick={() => setOpen(true)} />}
          <h1>{page ? title(page.title) : 'AIBOX'}</h1>
          <Tools />
        </AntLayout.Header>
        <main ref={main} id="main" tabIndex={-1} className="main">
          <Boundary place={path}>
            <Suspense fallback={<Loading />}>{Contents ? <Contents /> : <EmptyState title={t('missing')} />}</Suspense>
          </Boundary>
        </main>
      </AntLayout>
    </AntLayout>
  );
}
