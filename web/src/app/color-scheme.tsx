import { type MantineColorScheme, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { Icon, type IconName } from '../components/icons.tsx';

const option = (value: MantineColorScheme, icon: IconName, name: string) => ({
  value,
  label: (
    <span title={name} style={{ display: 'grid', placeItems: 'center' }}>
      <Icon name={icon} />
      <span className="visually-hidden">{name}</span>
    </span>
  ),
});

const options = [
  option('auto', 'system', 'As the system'),
  option('light', 'sun', 'Light'),
  option('dark', 'moon', 'Dark'),
];

/** Light, dark, or as the system has it; the browser remembers. */
export function ColorScheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      fullWidth
      size="xs"
      aria-label="Colours"
      value={colorScheme}
      onChange={value => setColorScheme(value as MantineColorScheme)}
      data={options}
    />
  );
}
