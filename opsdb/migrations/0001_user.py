from django.contrib.auth.models import UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db.models import CheckConstraint, F, Func, Q, UniqueConstraint, Value
from django.db.models.functions.datetime import Now
from django.db.models.lookups import Exact
from opsdb.database.expressions import IsFiniteTime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('is_superuser', models.BooleanField(db_comment='Designates that this user has all permissions without explicitly assigning them.', db_default=False)),
                ('username', models.CharField(db_comment='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', error_messages={'unique': 'A user with that username already exists.'}, max_length=150, unique=True, validators=[UnicodeUsernameValidator()])),
                ('is_staff', models.BooleanField(db_comment='Designates whether the user can log into this admin site.', db_default=False)),
                ('is_active', models.BooleanField(db_comment='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', db_default=True)),
                ('id', models.BigAutoField(db_comment='Number of the row.', primary_key=True, serialize=False)),
                ('password', models.CharField(db_comment='Hash of the password, with its algorithm and parameters.', max_length=128)),
                ('first_name', models.CharField(db_comment='Given name.', db_default='', max_length=150)),
                ('last_name', models.CharField(db_comment='Family name.', db_default='', max_length=150)),
                ('email', models.EmailField(db_comment='Address for messages to the person.', db_default='', max_length=254)),
                ('last_login', models.DateTimeField(db_comment='When the person last signed in (UTC).', null=True)),
                ('date_joined', models.DateTimeField(db_comment='When the account was made (UTC).', db_default=Now())),
                ('github_login', models.CharField(db_comment='Login at GitHub, by which the person signs in elsewhere.', db_default='', max_length=39)),
                ('affiliation', models.CharField(db_comment='Institute that the person works at.', db_default='', max_length=200)),
                ('preferences', models.JSONField(db_comment='Settings of the user interface, a JSON object.', db_default={})),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'db_table': 'user',
                'db_table_comment': 'A person or a service that works with the database. A host project may bring its own user model.',
                'swappable': 'AUTH_USER_MODEL',
                'constraints': [
                    UniqueConstraint(condition=Q(('github_login', ''), _negated=True), fields=('github_login',), name='user_unique_github_login'),
                    CheckConstraint(condition=Exact(Func(F('preferences'), function='jsonb_typeof', output_field=models.TextField()), Value('object')), name='user_preferences_object'),
                    CheckConstraint(condition=Q(('username__regex', '[^[:space:]]')), name='user_username_not_blank'),
                    CheckConstraint(condition=Q(('password__regex', '[^[:space:]]')), name='user_password_not_blank'),
                    CheckConstraint(condition=Q(IsFiniteTime('last_login'), IsFiniteTime('date_joined')), name='user_finite_times'),
                ],
            },
            managers=[
                ('objects', UserManager()),
            ],
        ),
        migrations.AddField(
            model_name='user',
            name='groups',
            field=models.ManyToManyField(related_name='user_set', related_query_name='user', to='auth.group'),
        ),
        migrations.AddField(
            model_name='user',
            name='user_permissions',
            field=models.ManyToManyField(related_name='user_set', related_query_name='user', to='auth.permission'),
        ),
    ]
