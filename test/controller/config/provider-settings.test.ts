// What a provider's own Tasks say about the keys of its platforms: params, workspaces, schema.
import { expect } from 'chai';
import { nothingKnown, type HostConfig } from '../../../controller/config/host-config.ts';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import {
  aProviderTask,
  launchedConfig,
  providerTasks,
  type ProviderTaskBuilder,
} from '../../support/provider-builders.ts';
import { launchedPool, told } from './config-sentences.ts';

type Data = Readonly<Record<string, string>>;

const key = (field: string): string => `dynamic.linux-arm64.${field}`;
const launch = (): ProviderTaskBuilder => aProviderTask('launch-toy').withParam('LAUNCH_TOKEN');
const terminate = (): ProviderTaskBuilder => aProviderTask('terminate-toy').withParam('INSTANCE_ID');

function parse(more: Data, ...tasks: ProviderTaskBuilder[]): HostConfig {
  const others = tasks.some((task) => task.build().name === 'terminate-toy') ? tasks : [...tasks, terminate()];
  return parseHostConfig(launchedConfig(more), nothingKnown, providerTasks(...others));
}

describe('host-config: keys of a provider', () => {
  it('go to the params of any of its Tasks', () => {
    const list = aProviderTask('list-toy').withDefault('REGION');
    const config = parse({ 'instance-type': 'm', region: 'r', zone: 'z' }, launch().withParam('INSTANCE_TYPE'), list);
    expect(launchedPool(config).settings).to.deep.equal({ 'instance-type': 'm', region: 'r' });
    expect(told(config, 'warning')).to.deep.equal([`${key('zone')} is no key of type 'toy' and is ignored`]);
  });

  it('are spelled as keys are', () => {
    const config = parse({ Region: 'r', re_gion: 'r' }, launch().withDefault('REGION').withDefault('RE_GION'));
    expect(launchedPool(config).settings).to.deep.equal({});
    expect(told(config, 'warning')).to.have.length(2);
  });

  it('an empty one leaves the default of its Task', () => {
    expect(launchedPool(parse({ disk: ' ' }, launch().withDefault('DISK', '40'))).settings).to.deep.equal({});
  });

  const credentialsRemedy = 'give the name of the Secret with the credentials';
  const refused: readonly (readonly [string, Data, readonly ProviderTaskBuilder[], readonly string[]])[] = [
    [
      'a param without default',
      {},
      [launch().withParam('INSTANCE_TYPE')],
      [`${key('instance-type')} is missing: param INSTANCE_TYPE of Task launch-toy has no default`],
    ],
    [
      'the same, with a schema that says more',
      {},
      [
        launch()
          .withParam('SIZE')
          .withSchema({ properties: { size: { description: 'give small or large' } } }),
      ],
      [`${key('size')} is missing: give small or large`],
    ],
    [
      'a param of terminate without default',
      {},
      [launch(), terminate().withParam('REGION')],
      [`${key('region')} is missing: param REGION of Task terminate-toy has no default`],
    ],
    [
      'a param of list that only one host has',
      {},
      [launch(), aProviderTask('list-toy').withParam('LAUNCH_TOKEN')],
      [
        `${key('type')} 'toy': param LAUNCH_TOKEN of Task list-toy has no default, and the controller does not give it ` +
          'to this Task: correct the Task',
      ],
    ],
    [
      'a param no key can have',
      {},
      [launch().withParam('region')],
      [
        `${key('type')} 'toy': param region of Task launch-toy has no default, and the controller does not give it to ` +
          'this Task: correct the Task',
      ],
    ],
    [
      'a workspace nobody knows',
      {},
      [launch().withWorkspace('cache')],
      [`${key('type')} 'toy': Task launch-toy needs workspace cache, and nothing can be bound to it: correct the Task`],
    ],
    [
      'credentials',
      {},
      [launch().withWorkspace('credentials').withCredentials('toy-secret')],
      [`${key('toy-secret')} is missing: ${credentialsRemedy}`],
    ],
    [
      'a name no Secret can have',
      { 'toy-secret': 'A B' },
      [launch().withWorkspace('credentials', true).withCredentials('toy-secret')],
      [`${key('toy-secret')} 'A B' is not valid: ${credentialsRemedy}`],
    ],
    [
      'a value its schema does not allow',
      { size: 'huge' },
      [
        launch()
          .withDefault('SIZE')
          .withSchema({ properties: { size: { enum: ['s', 'l'] } } }),
      ],
      [`${key('size')} 'huge' is not valid: give one of s, l`],
    ],
    [
      'the same, with a remedy',
      { size: 'huge' },
      [
        launch()
          .withDefault('SIZE')
          .withSchema({ properties: { size: { pattern: '^[sl]$', description: 'give s or l' } } }),
      ],
      [`${key('size')} 'huge' is not valid: give s or l`],
    ],
    [
      'keys its schema asks for',
      { tenancy: 'host' },
      [
        launch()
          .withDefault('TENANCY')
          .withDefault('GROUP')
          .withSchema({ dependencies: { tenancy: ['group'] } }),
      ],
      [`${key('group')} is missing: must have property group when property tenancy is present`],
    ],
    [
      'keys its schema forbids, also those no Task takes',
      { colour: 'red' },
      [launch().withSchema({ additionalProperties: false })],
      [`${key('colour')} 'red' is not valid: must NOT have additional properties`],
    ],
  ];
  for (const [sentence, more, tasks, expected] of refused) {
    it(`refuses: ${sentence}`, () => {
      const config = parse(more, ...tasks);
      expect(told(config)).to.deep.equal(expected);
      expect([...config.broken.keys()]).to.deep.equal(['linux/arm64']);
    });
  }

  const brokenSchemas: readonly (readonly [string, string])[] = [
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no schema', '{"type": "nothing"}'],
    ['an unknown word', '{"propertys": {}}'],
    ['an unreadable pattern', '{"properties": {"size": {"pattern": "("}}}'],
    ['another document', '{"$ref": "http://example.com/schema"}'],
    ['a promise', '{"$async": true}'],
  ];
  for (const [what, schema] of brokenSchemas) {
    it(`a schema that is ${what} is a mistake of its Task`, () => {
      const config = parse({ size: 's' }, launch().withDefault('SIZE').withSchema(schema));
      expect(told(config)).to.have.length(1);
      expect(told(config)[0])
        .to.match(
          /^dynamic\.linux-arm64\.type 'toy': annotation config-schema of Task launch-toy is not a JSON Schema \(/,
        )
        .and.match(/: correct the Task$/);
    });
  }

  it('credentials are bound by the key the launch Task names', () => {
    const withCredentials = launch().withWorkspace('credentials').withCredentials('toy-secret');
    const config = parse({ 'toy-secret': 'cloud' }, withCredentials);
    expect(launchedPool(config).credentials).to.equal('cloud');
    expect(config.problems).to.deep.equal([]);
  });

  it('credentials nobody needs may be missing', () => {
    const optional = launch().withWorkspace('credentials', true).withCredentials('toy-secret');
    expect(launchedPool(parse({}, optional)).credentials).to.equal('');
  });

  it('a host that prepares itself needs no ssh Secret', () => {
    const config = parse({ 'ssh-secret': '' }, launch().preparingItself());
    expect(config.problems).to.deep.equal([]);
    expect(launchedPool(config)).to.include({ sshSecret: '' });
  });

  it('unless one of its Tasks uses it', () => {
    const config = parse({ 'ssh-secret': '' }, launch().preparingItself().withWorkspace('ssh'));
    expect(told(config)).to.deep.equal([`${key('ssh-secret')} is missing: Task launch-toy needs workspace ssh`]);
  });

  it('a host that prepares itself serves one build', () => {
    const pool = launchedConfig({}, 'linux/arm64', 'dynamic-pool-platforms');
    const tasks = providerTasks(launch().preparingItself(), terminate());
    expect(told(parseHostConfig(pool, nothingKnown, tasks))).to.deep.equal([
      `${key('type')} 'toy': its hosts serve one build each: list the platform in dynamic-platforms instead`,
    ]);
  });
});
